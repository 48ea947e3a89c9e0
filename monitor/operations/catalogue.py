"""Every measure of operations by its name."""

from monitor.operations.delivery import DELIVERY_MEASURES
from monitor.operations.measures import Measure
from monitor.operations.runs import RUN_MEASURES
from monitor.operations.serving import SERVING_MEASURES

__all__ = ["MEASURES"]

MEASURES: dict[str, Measure] = {m.name: m for m in (*RUN_MEASURES, *DELIVERY_MEASURES, *SERVING_MEASURES)}
