"""Synthetic people: Anny posed, dressed, lit and photographed by arithmetic. Training only."""
