"""HumanMeshNet: a 3D human mesh from one photo (Venkat et al., ICCV-W 2019)."""

__version__ = "0.1.0"
