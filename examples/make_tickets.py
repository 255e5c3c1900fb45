"""Write made-up support tickets as CSV: nobody's words, so that nobody's licence binds them.

    python examples/make_tickets.py --rows 300 > tickets.csv

Seeded: the same number of rows is the same file. One ticket in twenty-five went to a wrong team, as
happens, so that no model can be right throughout.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

TEAMS = {
    "billing": (
        "I was charged {n} euros twice in {month}",
        "the invoice of {month} shows the wrong amount",
        "please refund the {n} euros for {thing}",
        "my card was declined although it is valid",
        "I need a receipt for {thing} for my tax return",
        "why did the price of {thing} go up to {n} euros",
        "the discount of {n} per cent is missing on my bill",
    ),
    "access": (
        "I cannot log in since {month}",
        "the password reset mail does not arrive",
        "my account is locked after {n} attempts",
        "the code on my phone is not accepted",
        "please change the address of my account",
        "my colleague left in {month} and still has access",
        "the page says that I have no permission to see {thing}",
    ),
    "shipping": (
        "the parcel with {thing} has not arrived for {n} days",
        "{thing} was delivered to the wrong address",
        "the tracking number has shown nothing since {month}",
        "can you send {thing} to another address",
        "half of the order is missing, only {thing} came",
        "the box was open and {thing} was gone",
        "when will {thing} be dispatched",
    ),
    "product": (
        "{thing} stopped working after {n} days",
        "{thing} makes a strange noise",
        "the manual does not say how to clean {thing}",
        "is there a spare part for {thing}",
        "the app shows an error {n} with {thing}",
        "{thing} does not fit, can I have a larger one",
        "the colour of {thing} differs from the picture",
    ),
}
OPENINGS = ("Hello, ", "Dear team, ", "", "Hi, ", "Good morning, ", "Once more: ", "Urgent: ")
CLOSINGS = (".", "!", ". Thank you", ". What shall I do?", ", please help", ". Regards")
THINGS = (
    "the kettle",
    "the lamp",
    "my chair",
    "the router",
    "the jacket",
    "two shelves",
    "a phone",
)
MONTHS = ("January", "March", "April", "June", "September", "November", "December")
WRONG_TEAM = 0.04
BEGINNING = datetime(2026, 1, 5, 8, tzinfo=timezone.utc)


def tickets(rows: int, seed: int = 0) -> Iterator[tuple[str, str, str, str]]:
    """Yield message, team, customer and time of each ticket, earlier ones first."""
    chance = random.Random(seed)  # noqa: S311 - nothing here is a secret
    for number in range(rows):
        team = chance.choices(list(TEAMS), weights=(4, 3, 2, 2))[0]
        said = chance.choice(TEAMS[team]).format(
            n=chance.randrange(2, 90), month=chance.choice(MONTHS), thing=chance.choice(THINGS)
        )
        message = chance.choice(OPENINGS) + said + chance.choice(CLOSINGS)
        if chance.random() < WRONG_TEAM:
            team = chance.choice(list(TEAMS))
        customer = f"C{chance.randrange(max(2, rows // 3)):05}"
        when = BEGINNING + timedelta(minutes=37 * number)
        yield message, team, customer, when.isoformat(timespec="minutes")


def main() -> None:
    """Write the tickets to the standard output."""
    parser = argparse.ArgumentParser(description="Write made-up support tickets as CSV.")
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("message", "team", "customer", "sent"))
    writer.writerows(tickets(asked.rows, asked.seed))


if __name__ == "__main__":
    main()
