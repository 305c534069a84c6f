"""Files of the embedded platform: what was uploaded, whole or in parts, kept until it is deleted or expires."""
