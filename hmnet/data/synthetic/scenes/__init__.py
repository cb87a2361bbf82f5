"""Where they are and how they are photographed: cameras, places, light, other things, film."""
