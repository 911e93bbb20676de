"""What commands print: tables, texts and progress."""
