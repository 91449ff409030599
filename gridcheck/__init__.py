"""gridcheck: can this household connect, what stands in the way, and where should the money go first?"""

__version__ = "0.1.0"
