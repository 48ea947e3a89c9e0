"""Pairs of predictions and labels"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pairs",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("predictions", sa.LargeBinary(), nullable=True),
        sa.Column("labels", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index("pairs_day", "pairs", ["day"], unique=False)
    op.create_table(
        "classes",
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("model", "number"),
        sa.UniqueConstraint("model", "name", name="classes_name"),
    )
    op.create_table(
        "additions",
        sa.Column("writer", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("writer", "day", "number"),
    )
    op.add_column("progress", sa.Column("labels", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("progress", "labels")
    op.drop_table("additions")
    op.drop_table("classes")
    op.drop_index("pairs_day", table_name="pairs")
    op.drop_table("pairs")
