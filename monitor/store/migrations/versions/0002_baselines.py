"""Baselines with counts, contracts and activations"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("baselines") as table:
        table.drop_column("valid_from_s")
        table.add_column(sa.Column("source", sa.Text(), nullable=True))
        table.add_column(sa.Column("time_zone", sa.String(length=100), nullable=True))
        table.add_column(sa.Column("quality", sa.Text(), nullable=True))
        table.drop_constraint("baselines_number", type_="unique")
        table.create_unique_constraint("baselines_number", ["model", "number"])
    op.add_column("bins", sa.Column("contract", sa.Text(), nullable=True))
    op.add_column("bins", sa.Column("importance", sa.Float(), nullable=True))
    op.create_table(
        "baseline_counts",
        sa.Column("baseline", sa.Integer(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("n_rows", sa.BigInteger(), nullable=False),
        sa.Column("windows", sa.Integer(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.Column("sums", sa.LargeBinary(), nullable=True),
        sa.Column("dispersion", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["baseline"], ["baselines.id"], name="baseline_counts_baseline"),
        sa.PrimaryKeyConstraint("baseline", "slot"),
    )
    op.create_table(
        "activations",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("baseline", sa.Integer(), nullable=False),
        sa.Column("from_s", sa.BigInteger(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["baseline"], ["baselines.id"], name="activations_baseline"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "bindings",
        sa.Column("series", sa.Integer(), nullable=False),
        sa.Column("start_s", sa.BigInteger(), nullable=False),
        sa.Column("baseline", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", "start_s"),
        sqlite_with_rowid=False,
    )
    # What was counted before stays on the baseline that it was counted on. Feature profiles have kind 3.
    op.execute(
        "INSERT INTO bindings (series, start_s, baseline) "
        "SELECT series, start_s, min(baseline) FROM profiles WHERE kind = 3 "
        "AND tier_s = (SELECT min(tier_s) FROM profiles WHERE kind = 3) GROUP BY series, start_s"
    )


def downgrade() -> None:
    op.drop_table("bindings")
    op.drop_table("activations")
    op.drop_table("baseline_counts")
    op.drop_column("bins", "importance")
    op.drop_column("bins", "contract")
    with op.batch_alter_table("baselines") as table:
        table.drop_constraint("baselines_number", type_="unique")
        table.create_unique_constraint("baselines_number", ["model", "version", "number"])
        table.drop_column("quality")
        table.drop_column("time_zone")
        table.drop_column("source")
        table.add_column(sa.Column("valid_from_s", sa.BigInteger(), nullable=False, server_default="0"))
