"""Everyday texts on which activations are looked at before they get fixed int8 scales.

Written for this: office and machine talk of many lengths. None is of a task, so that an encoder
calibrated on them serves every task.
"""

from __future__ import annotations

TEXTS = (
    "Where is my parcel?",
    "Please close the account and send the final statement to the new address.",
    "The pump on line two vibrates more than last week, and its bearing is hot.",
    "Thanks.",
    "Net profit rose 12 percent to 48 million dollars in the third quarter, the company said.",
    "I was charged twice for the same order; the second payment must be returned to my card.",
    "Set the alarm for half past six tomorrow morning.",
    "ERROR 2024-03-18 07:12:44 disk /dev/sdb1 is 97 percent full, writes are refused",
    "The film is too long, the actors are good, and the music saves the last half hour.",
    "Wheat exports are expected to fall after a dry spring, traders said on Tuesday.",
    "Can you play something quiet by a string quartet?",
    "Meeting moved to room 4.12, same time. Bring the contract and both annexes.",
    "Screen cracked after two days. Terrible quality. Would not buy again!",
    "Stainless steel bottle, 750 ml, keeps drinks cold for 24 hours, dishwasher safe",
    "Failed password for invalid user admin from 203.0.113.7 port 52144 ssh2",
    "Congratulations, you have won! Click the link below to claim your prize today.",
    "What will the weather be like in Lisbon on Friday?",
    "The central bank left its key rate unchanged at 3.5 percent and said inflation was easing.",
    "Invoice 10047, due within 30 days, total 1,284.50 including 19 % value added tax.",
    "He lives at 42 Station Road, flat 3, and can be reached at the number below.",
    "Der Antrag wurde gestern eingereicht und wird in der kommenden Woche bearbeitet.",
    "Le fournisseur confirme la livraison pour jeudi matin.",
    "El motor se detuvo dos veces durante la prueba.",
    "Works exactly as described, easy to set up, and the battery lasts all week.",
    "Book a table for four at an Italian restaurant near the office at eight tonight.",
    "Crude oil prices slipped as producers agreed to raise output by 400,000 barrels a day.",
    (
        "The warranty covers parts and labour for two years from the date of purchase. It "
        "does not cover damage by water, by a fall, or by repairs that were made by anyone "
        "else. To make a claim, send a copy of the receipt, the serial number and a short "
        "description of the fault."
    ),
    (
        "During the inspection the technician found corrosion on two terminals, a loose "
        "ground wire and worn insulation near the inverter. The terminals were cleaned, the "
        "wire was tightened, and the cable was replaced. Output is back to 4.8 kilowatts; a "
        "second visit is not needed."
    ),
    (
        "Shareholders approved the merger by a large majority at the annual meeting. The "
        "combined group will have about 9,000 employees in 14 countries, and expects savings "
        "of 60 million a year from shared purchasing, fewer warehouses and one system for "
        "orders and accounts."
    ),
    "A vessel carrying 30,000 tonnes of maize left the port on Sunday after a delay of nine days.",
    "def total(rows): return sum(row.price * row.count for row in rows)",
    "OK",
)
