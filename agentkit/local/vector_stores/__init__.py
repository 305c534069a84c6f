"""Vector stores of the embedded platform: files cut into passages, found again by words and by meaning."""
