"""The engines that answer on the embedded platform."""
