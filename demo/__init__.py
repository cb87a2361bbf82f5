"""The page: what a person sees of HumanMeshNet."""
