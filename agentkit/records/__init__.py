"""What was recorded, read back: traces and their spans as objects, as dataframes and as pictures."""
