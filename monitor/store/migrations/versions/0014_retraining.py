"""Requests to train a model anew"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "retraining",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True),
        sa.Column("policy", sa.String(length=200), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("needs_approval", sa.Boolean(), nullable=False),
        sa.Column("approved", sa.Boolean()),
        sa.Column("reviewer", sa.String(length=200)),
        sa.Column("review", sa.Text()),
        sa.Column("reviewed_ms", sa.BigInteger()),
        sa.Column("posted", sa.Boolean()),
        sa.Column("posted_ms", sa.BigInteger()),
        sa.Column("posted_detail", sa.Text()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("policy", "number", name="retraining_once"),
    )


def downgrade() -> None:
    op.drop_table("retraining")
