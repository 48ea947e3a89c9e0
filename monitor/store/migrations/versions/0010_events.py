"""Events of operations, and streams that carry no inferences"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "progress", sa.Column("carries", sa.String(length=10), nullable=False, server_default="records")
    )
    op.execute("UPDATE progress SET carries = 'labels' WHERE labels")
    op.drop_column("progress", "labels")
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("event", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("ts_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source", "event", name="events_once"),
    )
    op.create_index("events_kind", "events", ["kind", "ts_ms"], unique=False)
    op.create_index("events_model", "events", ["model", "ts_ms"], unique=False)


def downgrade() -> None:
    op.drop_table("events")
    op.add_column("progress", sa.Column("labels", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE progress SET labels = (carries = 'labels')")
    op.drop_column("progress", "carries")
