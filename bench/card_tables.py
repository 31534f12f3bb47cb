#!/usr/bin/env python3
"""The tables of a model's card from the folders that `ouaf evaluate --report` writes:

  card_tables.py --report NEW [--before OLD]

An interval is Wilson's at 95 % (Wilson 1927). Prints top-1 and top-5, the twenty pairs of breeds that the older network (or,
without one, this one) confuses most, the share that is right of every breed, and top-1 among fewer breeds: those that the
photos are of, and the first twelve by id. There the likeliest of these breeds counts; where none is among the five likeliest of
all, the answer counts as wrong.
"""
import argparse
import csv
import pathlib


def rows_of(folder, name):
    with open(folder / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def interval(right, count, z=1.959964):
    """Shares in percent: measured, lower and upper end."""
    share = right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * (share * (1 - share) / count + z * z / (4 * count * count)) ** 0.5
    return 100 * share, 100 * (middle - half), 100 * (middle + half)


def with_interval(right, count):
    return "{:.2f} % ({:.2f} to {:.2f})".format(*interval(right, count))


def answers_of(folder):
    """(class, the five likeliest, best first) of each photo."""
    photos = rows_of(folder, "photos.csv")
    columns = list(photos[0])
    places = [columns[i] for i in range(columns.index("true_probability") + 1, len(columns), 2)]
    return [(photo["true"], [photo[place] for place in places]) for photo in photos]


def print_accuracy(folder):
    answers = answers_of(folder)
    first = sum(true == five[0] for true, five in answers)
    among_five = sum(true in five for true, five in answers)
    print(f"{len(answers)} photos: top-1 {with_interval(first, len(answers))}, top-5 {with_interval(among_five, len(answers))}")
    present = sorted({true for true, _ in answers})
    for classes in (present, present[:12]):
        asked = [(true, [one for one in five if one in classes]) for true, five in answers if true in classes]
        right = sum(known[:1] == [true] for true, known in asked)
        print(f"among {len(classes)} classes, {len(asked)} photos: top-1 {with_interval(right, len(asked))}")
    print()


def pairs_of(folder):
    return {(row["first"], row["second"]): row for row in rows_of(folder, "lookalikes.csv")}


def print_pairs(after, before):
    older, newer = pairs_of(before), pairs_of(after)
    print("| breeds | taken for each other before | now |\n|---|---|---|")
    for pair, row in list(older.items())[:20]:
        now = newer.get(pair, {"total": 0})["total"]
        print(f"| {row['first_name']}, {row['second_name']} | {row['total']} | {now} |")
    print()


def print_breeds(folder):
    breeds = sorted(rows_of(folder, "classes.csv"), key=lambda row: float(row["recall"]))
    print("| breed | photos | right | of the answers, right |\n|---|---|---|---|")
    for row in breeds:
        print(f"| {row['name']} | {row['support']} | {100 * float(row['recall']):.1f} % | {100 * float(row['precision']):.1f} % |")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--report", type=pathlib.Path, required=True)
    options.add_argument("--before", type=pathlib.Path)
    options = options.parse_args()
    print_accuracy(options.report)
    print_pairs(options.report, options.before or options.report)
    print_breeds(options.report)


main()
