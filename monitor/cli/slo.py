"""`monitor slo`: objectives, their budgets and alerts."""

import typer

from monitor.cli import slo_alerts, slo_documents, slo_exclusions, slo_init, slo_standing

__all__ = ["app"]

app = typer.Typer(help="Objectives: how they stand, what is left of their budgets, what fires.")
app.command("list")(slo_standing.list_objectives)
app.command("show")(slo_standing.show)
app.command("budget")(slo_standing.budget)
app.command("alerts")(slo_alerts.alerts)
app.command("health")(slo_standing.health)
app.add_typer(slo_exclusions.app, name="exclude")
app.command("import")(slo_documents.import_objectives)
app.command("export")(slo_documents.export_objectives)
app.command("init")(slo_init.init)
