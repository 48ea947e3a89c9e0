"""Exports of costs as clouds write them: the columns of FOCUS 1.0 and of Azure's two agreements."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["AZURE_EA", "AZURE_MCA", "FOCUS", "export", "table", "written"]

TAGS = {"team": "risk", "model": "fraud"}
FOCUS = {
    "BilledCost": "0",
    "BillingAccountId": "acc-1",
    "BillingCurrency": "EUR",
    "BillingPeriodEnd": "2026-11-01T00:00:00Z",
    "BillingPeriodStart": "2026-10-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeClass": "",
    "ChargePeriodEnd": "2026-10-03T05:00:00Z",
    "ChargePeriodStart": "2026-10-03T04:00:00Z",
    "ConsumedQuantity": "1",
    "EffectiveCost": "2.5",
    "ListCost": "3",
    "ProviderName": "Microsoft",
    "ResourceId": "/vm/gpu-1",
    "ServiceCategory": "Compute",
    "ServiceName": "Virtual Machines",
    "SubAccountId": "sub-1",
    "Tags": json.dumps(TAGS),
}
AZURE_EA = {
    "InvoiceSectionName": "ml",
    "SubscriptionId": "5E0F",
    "Date": "10/03/2026",
    "MeterCategory": "Virtual Machines",
    "Quantity": "1",
    "CostInBillingCurrency": "2.5",
    "BillingCurrencyCode": "EUR",
    "ResourceId": "/subscriptions/5e0f/VM/gpu-1",
    "ChargeType": "Usage",
    "Tags": '"team": "risk","model": "fraud"',
    "BillingAccountId": "acc-1",
}
AZURE_MCA = {
    "invoiceId": "",
    "billingAccountId": "acc-1",
    "date": "2026-10-03",
    "chargeType": "Usage",
    "meterCategory": "Virtual Machines",
    "costInBillingCurrency": "2.5",
    "billingCurrency": "EUR",
    "SubscriptionId": "5e0f",
    "ResourceId": "/subscriptions/5e0f/vm/gpu-1",
    "tags": json.dumps(TAGS),
}


def export(like: Mapping[str, str], *changed: Mapping[str, str]) -> list[dict[str, str]]:
    """Rows like one, each with something changed."""
    return [{**like, **row} for row in changed]


def table(rows: Sequence[Mapping[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def written(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    path.write_text(table(rows), "utf-8-sig")
    return path
