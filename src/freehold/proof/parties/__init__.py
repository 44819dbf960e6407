"""What is said beside a signature: by keys of themselves, by witnesses, by those who computed it again."""
