"""Small heads for tests: what every head must be told, told."""

from fusion.heads.classify import ClassifyHead


def classify(names: list[str], *, target: str = "state", dim: int = 8, dropout: float = 0.0, **more) -> ClassifyHead:
    return ClassifyHead(target=target, names=names, loss_weight=1.0, dim=dim, dropout=dropout, **more)
