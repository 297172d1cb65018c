"""Two kinds of picture as SVG, from plain numbers: bars with their spread, and lines over threads.

A picture is a Sheet of panels; a panel knows where it stands and nothing of where its numbers come
from. Nothing is drawn that was not measured: what is missing is missing.
"""

from html import escape

WIDTH, MARGIN, ROW = 960, 24, 18
BLUES = ("#08519c", "#3182bd", "#6baed6", "#54278f", "#756bb1", "#9e9ac8")
OTHERS = ("#7f7f7f", "#d94801", "#fd8d3c", "#238b45", "#74c476", "#8c6d31", "#bd9e39", "#ce6dbd")


class Palette:
    """A colour for each name, the same in all panels: trainer's own are the blue ones."""

    def __init__(self):
        self.colours = {}

    def __getitem__(self, name):
        if name not in self.colours:
            family = BLUES if name.startswith("trainer") else OTHERS
            taken = sum(colour in family for colour in self.colours.values())
            self.colours[name] = family[taken % len(family)]
        return self.colours[name]


class Sheet:
    def __init__(self):
        self.parts, self.height, self.palette = [], MARGIN, Palette()

    def text(self, x, y, words, size=12, anchor="start", weight="normal", colour="#222"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}"'
                          f' text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>')

    def line(self, x1, y1, x2, y2, colour="#222", width=1.0, dash=""):
        more = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
                          f' stroke="{colour}" stroke-width="{width}"{more}/>')

    def box(self, x, y, w, h, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(w, 0):.1f}" height="{h:.1f}"'
                          f' fill="{colour}"/>')

    def dot(self, x, y, colour):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')

    def heading(self, title, *lines):
        self.text(MARGIN, self.height + 6, title, 16, weight="bold")
        for line in lines:
            self.height += ROW
            self.text(MARGIN, self.height + 6, line, 12, colour="#555")
        self.height += 2 * ROW

    def svg(self):
        height = self.height + MARGIN
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}"'
                f' viewBox="0 0 {WIDTH} {height:.0f}" font-family="sans-serif">\n'
                f'<rect width="{WIDTH}" height="{height:.0f}" fill="white"/>\n'
                + "\n".join(self.parts) + "\n</svg>\n")


def rounded(number):
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def bars(sheet, left, width, title, rows):
    """rows: (name, median, min, max). Returns the panel's height."""
    label, top = 130, sheet.height
    sheet.text(left, top + 4, title, 13, weight="bold")
    most = max((row[3] for row in rows), default=1) or 1
    scale = (width - label - 60) / most
    for i, (name, median, low, high) in enumerate(rows):
        y, x = top + 14 + i * ROW, left + label
        sheet.text(x - 6, y + 11, name, 11, "end")
        sheet.box(x, y + 2, median * scale, ROW - 5, sheet.palette[name])
        sheet.line(x + low * scale, y + 7.5, x + high * scale, y + 7.5, "#000")
        sheet.text(x + high * scale + 5, y + 11, rounded(median), 11)
    return 14 + len(rows) * ROW + 16


def bar_grid(sheet, panels):
    """panels: (title, rows); two beside each other."""
    width = (WIDTH - 3 * MARGIN) / 2
    for i in range(0, len(panels), 2):
        heights = [bars(sheet, MARGIN + j * (width + MARGIN), width, *panel)
                   for j, panel in enumerate(panels[i : i + 2])]
        sheet.height += max(heights)


def step_of(most):
    """A round distance of about four grid lines."""
    size = 10 ** (len(str(int(most))) - 1)
    return next((f * size for f in (0.1, 0.2, 0.25, 0.5, 1, 2) if most / (f * size) <= 5), size)


def lines(sheet, title, series, unit):
    """series: {name: {threads: value}}. Both axes are linear from 0, so that what scales as the
    threads do is a straight line; a dashed one shows what that would be for the first series."""
    if not any(series.values()):
        return
    left, top, height = MARGIN + 60, sheet.height + 14, 300
    width = WIDTH - left - 220
    last = max(max(points) for points in series.values() if points)
    most = 1.05 * max(max(points.values()) for points in series.values() if points)
    at = lambda threads, value: (left + width * threads / last, top + height * (1 - value / most))
    sheet.text(MARGIN, sheet.height + 4, f"{title} ({unit})", 13, weight="bold")
    step = step_of(most)
    for i in range(int(most / step) + 1):
        y = at(0, i * step)[1]
        sheet.line(left, y, left + width, y, "#ddd")
        sheet.text(left - 6, y + 4, rounded(i * step) if i else "0", 11, "end")
    for threads in sorted({n for points in series.values() for n in points}):
        sheet.text(at(threads, 0)[0], top + height + 16, str(threads), 11, "middle")
    sheet.text(left + width / 2, top + height + 32, "threads", 11, "middle")
    first = next(points for points in series.values() if points)
    start = min(first)
    end = min(last, most * start / first[start])
    sheet.line(*at(0, 0), *at(end, end * first[start] / start), "#999", 1, "4 4")
    for i, (name, points) in enumerate(series.items()):
        colour, ordered = sheet.palette[name], sorted(points.items())
        for a, b in zip(ordered, ordered[1:]):
            sheet.line(*at(*a), *at(*b), colour, 2)
        for point in ordered:
            sheet.dot(*at(*point), colour)
        y = top + 10 + i * ROW
        sheet.line(left + width + 16, y, left + width + 36, y, colour, 3)
        sheet.text(left + width + 42, y + 4, name, 11)
    sheet.height += height + 70
