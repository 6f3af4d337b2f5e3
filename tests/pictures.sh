#!/bin/sh
# SPDX-License-Identifier: MIT
# 'show --format svg' and 'dot': well-formed whatever a file says, referring to nothing, with ids that
# stay, no text out of the picture, every node in it, and enough contrast on light and dark pages. tests/golden has what they draw.
# shellcheck disable=SC2317,SC2329 # functions are called through check
# shellcheck source=tests/tap.sh
. "${srcdir:-.}/tests/tap.sh"

cat >"$tmp/hostile.yaml" <<'YAML'
spmtopo: 1
name: hostile
cpus: 8
nodes:
  - id: 0
    label: "</text><script>alert(1)</script>&amp;\"'\\N\\ \uFFFE\uFFFF ]]> -->"
    cpus: 0-7
    memory: 16GiB
  - id: 1
    label: "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字"
    memory: {size: 32GiB, type: spm}
  - id: 2
    label: "{x|y} <b>\U0001F600 %s %n &#0; a label that is far too long for any card"
    initiator: 0
    memory: {size: 32GiB, type: spm}
distances:
  - [10, 255, 20]
  - [255, 10, 20]
  - [21, 20, 10]
YAML

cat >"$tmp/judge.py" <<'PYTHON'
import re, sys
import xml.etree.ElementTree as tree

text = open(sys.argv[1], encoding="utf-8").read()
nodes = int(sys.argv[2])
problems = []
root = tree.fromstring(text)
width, height = (int(root.get(k)) for k in ("width", "height"))
namespace = "{http://www.w3.org/2000/svg}"
known = {namespace + n for n in "svg title style defs pattern path g rect text".split()}
ids = [e.get("id") for e in root.iter() if e.get("id")]
for element in root.iter():
    if element.tag not in known:
        problems.append("an element %s" % element.tag)
    for name, value in element.attrib.items():
        if "href" in name or name.startswith("on") or re.search(r"url\((?!#)|javascript:", value):
            problems.append("%s='%s' refers to something" % (name, value))
    x, y = int(element.get("x", 0)), int(element.get("y", 0))
    right, bottom = x + int(element.get("width", 0)), y + int(element.get("height", 0))
    if element.tag == namespace + "text" and not re.search("middle|end", element.get("class", "")):
        right = x + len(element.text) * 7  # more for wide characters, which show_fit() counts
    if min(x, y) < 0 or right > width or bottom > height:
        problems.append("out of the picture: %s" % tree.tostring(element))
style = root.find(namespace + "style").text
if re.search(r"@import|url\(", style) or "prefers-color-scheme: dark" not in style:
    problems.append("the style refers to something, or has no dark colors")

def colors(sheet, kind):
    """{class: color} of one property, a later rule over an earlier one."""
    return {name: color for name, color in re.findall(r"\.spmtopo (?:\.(?:\w+), \.spmtopo )*\.(\w+) {[^}]*\b%s: (#\w{6})" % kind, sheet)}


def contrast(one, other):
    """WCAG 2.1: of two colors, 1 to 21."""
    def luminance(color):
        parts = [int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    a, b = sorted((luminance(one), luminance(other)))
    return (b + 0.05) / (a + 0.05)


light, dark = style.split("@media", 1)
for mode, sheet in (("light", light), ("dark", style)):
    fill, stroke = colors(sheet, "fill"), colors(sheet, "stroke")
    text = re.findall(r"\.spmtopo {[^}]*\bfill: (#\w{6})", sheet)[-1]
    # Rules for several classes at once.
    for names, color in re.findall(r"((?:\.spmtopo \.\w+, )+\.spmtopo \.\w+) { fill: (#\w{6})", sheet):
        fill.update({name: color for name in re.findall(r"\.spmtopo \.(\w+)", names)})
    pairs = [(text, fill["page"], 4.5), (text, fill["card"], 4.5), (fill["soft"], fill["page"], 4.5),
             (fill["soft"], fill["card"], 4.5), (fill["tcut"], fill["cut"], 4.5),
             (stroke["hole"], fill["page"], 3), (stroke["range"], fill["page"], 3), (stroke["self"], fill["page"], 3)]
    pairs += [(fill.get("t%d" % step, text), fill["h%d" % step], 4.5) for step in range(7)]
    problems += ["%s: %s on %s is hard to see" % (mode, a, b) for a, b, least in pairs if contrast(a, b) < least]
if len(ids) != len(set(ids)):
    problems.append("an id is there twice")
wanted = {"summary", "legend", "map", "nodes", "distances", "map-0x0"} | {"node-%d" % n for n in range(nodes)}
if not wanted <= set(ids):
    problems.append("no ids %s" % sorted(wanted - set(ids)))
print("\n".join(problems))
sys.exit(1 if problems else 0)
PYTHON

svg_is_sound()
{
    run show -q --format svg "$1"
    ran 0 quiet || return 1
    cp "$tmp/out" "$tmp/picture.svg"
    "$PYTHON" "$tmp/judge.py" "$tmp/picture.svg" "$nodes" || return 1
    run show -q --format svg "$1"
    same "$tmp/picture.svg" "$tmp/out"
}

# Graphviz reads it, and finds every node.
dot_is_sound()
{
    run show -q --format dot "$1"
    ran 0 quiet || return 1
    dot -Tplain "$tmp/out" >"$tmp/plain" 2>"$tmp/dot.err" || {
        cat "$tmp/dot.err"
        return 1
    }
    same /dev/null "$tmp/dot.err" && [ "$(grep -c '^node ' "$tmp/plain")" -eq "$nodes" ]
}

for file in "$top"/examples/*.yaml "$top"/tests/corpus/02[0-9]*.yaml "$top"/tests/corpus/04*.yaml \
    "$tmp/hostile.yaml"; do
    [ -e "$file" ] || bail_out 'files are missing'
    name=${file##*/}
    nodes=$("$PYTHON" -c 'import sys, yaml
document = yaml.safe_load(open(sys.argv[1], encoding="utf-8"))
def count(text):
    parts = [p.split("-") for p in str(text).split(",")]
    return sum(int(p[-1]) - int(p[0]) + 1 for p in parts)
print(sum(sum(map(count, n["id"])) if isinstance(n["id"], list) else count(n["id"]) for n in document["nodes"]))' "$file")
    check "$name: the SVG is sound" svg_is_sound "$file"
    if command -v dot >/dev/null 2>&1; then
        check "$name: Graphviz draws all nodes" dot_is_sound "$file"
    else
        skip "$name: Graphviz draws all nodes" 'there is no dot'
    fi
done

# What must fail in the judge: it would pass all else.
broken()
{
    run show -q --format svg "$top/examples/hbm-guest.yaml"
    sed "$1" "$tmp/out" >"$tmp/broken.svg"
    ! cmp -s "$tmp/out" "$tmp/broken.svg" && ! "$PYTHON" "$tmp/judge.py" "$tmp/broken.svg" 2 >/dev/null 2>&1
}
check 'an unescaped character is seen' broken 's/normal, /normal \& /'
check 'text out of the picture is seen' broken 's/x="392"/x="1392"/'
check 'a reference is seen' broken 's/<g id="map"/<g href="a" id="map"/'
check 'text that is hard to read is seen' broken 's/\.t5, \.spmtopo \.t6 { fill: #ffffff/.t5, .spmtopo .t6 { fill: #1a1a1a/'
check 'text that is hard to read on a dark page is seen' broken 's/\.t4, \.spmtopo \.t5, /.t5, /'
check 'a missing node is seen' broken 's/id="node-1"/id="node-2"/'
tap_end
