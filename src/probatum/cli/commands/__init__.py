"""The commands as they are called: options and help. What each does stands in the folder above."""
