"""Who they are and what they wear: shapes, hands, skin, hair, garments."""
