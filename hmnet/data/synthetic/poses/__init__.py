"""What people do: authored and captured poses, varied within what bodies can."""
