"""What a figure must carry: metrics by kind of target, intervals over people, pictures, provenance."""

import matplotlib

matplotlib.use("Agg")  # no screen on a cluster node
