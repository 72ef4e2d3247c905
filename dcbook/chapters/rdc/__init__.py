"""R-DC: Shaheen et al., Rethinking Deep Clustering Paradigms: Self-Supervision Is All You Need, arXiv 2503.03733."""
