"""What a long life leaves behind: many calls, waits cut short, operations stopped anywhere."""
