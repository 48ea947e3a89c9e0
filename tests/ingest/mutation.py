"""Messages broken at random, as bad disks, bad clients and bad days break them."""

import random

__all__ = ["mutated"]


def mutated(rng: random.Random, message: bytes) -> bytes:
    """`message` after up to three changes; the same for the same state of `rng`."""
    data = bytearray(message)
    for _ in range(rng.randint(0, 3)):
        at = rng.randrange(len(data)) if data else 0
        kind = rng.randrange(5)
        if kind == 0 and data:
            data[at] = rng.randrange(256)
        elif kind == 1:
            data[at:at] = rng.choice([b'"', b"{", b"}", b",", b":", b"\xff", b"9", b"null", b"\\u0000", b"-"])
        elif kind == 2:
            del data[at : at + rng.randint(1, 9)]
        elif kind == 3:
            data = data[:at]
        else:
            other = bytes(data[at : at + 30])
            data += other
    return bytes(data)
