"""What stands between the public and the page: limits, refusals, checks of what comes in, health, figures.

The page itself (`demo.ui`) knows nothing of it; `demo.serving.start.launch` puts both together.
"""
