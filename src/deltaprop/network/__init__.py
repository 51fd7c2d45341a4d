"""Network: what people hold."""

from deltaprop.network.network import Network

__all__ = ["Network"]
