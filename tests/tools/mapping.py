"""Compares the documents of `mapping` and the lists of tests/mapping with the published schemas (see mapping.sh)."""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

LISTS = pathlib.Path(__file__).parent.parent / "mapping"
OCSF, ECS = "1.7.0", "9.4.0"
LATER = "1.8.0"
PROFILES = {"incident", None}
CLASS = "detection_finding"


def documents(place, name):
    with open(place / name, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


class Told:
    """Prints what is wrong, a few of each, and counts."""

    def __init__(self):
        self.wrong = 0

    def error(self, text):
        self.wrong += 1
        if self.wrong <= 20:
            print("WRONG:", text[:400])


# ---- OCSF

def attribute_type(attribute):
    inner = attribute.get("object_type")
    if inner in (None, "object"):
        return "object" if inner else attribute["type"]
    return "object " + inner


def used_attributes(schema, events):
    """Each object and attribute that occurs in the events."""
    used = set()

    def walk(name, record, value):
        for key, inner in value.items():
            attribute = record["attributes"].get(key)
            if attribute is None:
                raise SystemExit(f"{name} has no attribute {key}")
            used.add((name, key))
            kind = attribute_type(attribute)
            for entry in inner if isinstance(inner, list) else [inner]:
                if kind.startswith("object ") and isinstance(entry, dict):
                    walk(kind[7:], schema["objects"][kind[7:]], entry)

    for event in events:
        walk(CLASS, schema["classes"][CLASS], event)
    return used


def ocsf_list(schema, events):
    lines = [
        f"# OCSF {OCSF}: attributes that events have. From the published schema of that version, as the package",
        "# ocsf-json-schema 1.2.0 carries it. Made by tests/tools/mapping.sh --write.",
        "# object, attribute, type, list or one, requirement, allowed numbers; or of which attributes one must be there",
    ]
    used = used_attributes(schema, events)
    for name in sorted({name for name, _ in used}):
        record = schema["classes"][name] if name == CLASS else schema["objects"][name]
        one_of = (record.get("constraints") or {}).get("at_least_one")
        if one_of:
            lines.append("\t".join([name, "(at least one)", "|".join(one_of)]))
        for key, attribute in sorted(record["attributes"].items()):
            required = attribute.get("requirement") == "required" and attribute.get("profile") in PROFILES
            if (name, key) not in used and not required:
                continue
            numbers = attribute.get("enum") if attribute["type"] == "integer_t" else None
            lines.append("\t".join([
                name, key, attribute_type(attribute), "list" if attribute.get("is_array") else "one",
                "required" if required else attribute.get("requirement", "optional"),
                "|".join(sorted(numbers, key=int)) if numbers else "-",
            ]))
    return "\n".join(lines) + "\n"


def captions_agree(record, event, told):
    """The text beside a number is its caption, except beside 99."""
    for key, attribute in record["attributes"].items():
        text = event.get(attribute.get("sibling", ""))
        if key in event and attribute.get("enum") and isinstance(text, str) and event[key] != 99:
            caption = attribute["enum"][str(event[key])]["caption"]
            if caption != text:
                told.error(f"{key} {event[key]} is {caption}, not {text}")


def objects_in(schema, name, record, value):
    yield record, value
    for key, inner in value.items():
        kind = attribute_type(record["attributes"][key])
        if kind.startswith("object "):
            for entry in inner if isinstance(inner, list) else [inner]:
                yield from objects_in(schema, kind[7:], schema["objects"][kind[7:]], entry)


def validator_of(schema):
    embedded = OcsfJsonSchemaEmbedded(schema)
    return Draft202012Validator(embedded.get_class_schema(class_name=CLASS, profiles=["incident"]))


def check_ocsf(place, write):
    told = Told()
    events = documents(place, "ocsf.ndjson")
    schema = get_ocsf_schema(version=OCSF)
    listed = ocsf_list(schema, events)
    compare(LISTS / "ocsf-attributes.tsv", listed, write, told)
    validator, later = validator_of(schema), validator_of(get_ocsf_schema(version=LATER))
    for spoilt in ({"class_uid": 2001}, {"severity_id": 7}, {"a_new_name": 1}, {"metadata": {"version": OCSF}}):
        if validator.is_valid({**events[0], **spoilt}):
            told.error(f"the JSON schema takes anything: {spoilt}")
    for event in events:
        for error in [*validator.iter_errors(event), *later.iter_errors(event)]:
            told.error(f"{error.json_path}: {error.message}")
        for record, value in objects_in(schema, CLASS, schema["classes"][CLASS], event):
            captions_agree(record, value, told)
    print(f"OCSF {OCSF}: {len(events)} events against the JSON schema of {CLASS} (and of {LATER}) with its captions, "
          f"{listed.count(chr(10)) - 3} rows of the list: {told.wrong} wrong")
    return told.wrong


# ---- ECS

def fields_of(document, published, prefix=""):
    for key, value in document.items():
        name = prefix + key
        if name == "alertferry":
            continue
        if name in published or not isinstance(value, dict):
            yield name, value
        else:
            yield from fields_of(value, published, name + ".")


def check_ecs(place, write):
    told = Told()
    path = place / "ecs-published.json"
    if not path.exists() or path.stat().st_size == 0:
        return 0
    published = json.loads(path.read_text(encoding="utf-8"))
    found = documents(place, "ecs.ndjson")
    used = set()
    for document in found:
        for name, value in fields_of(document, published):
            if name not in published:
                told.error(f"{name} is not a field of ECS")
                continue
            used.add(name)
            field = published[name]
            if isinstance(value, list) != ("array" in field["normalize"]):
                told.error(f"{name}: a list where there is none, or the other way round")
            allowed = {entry["name"] for entry in field.get("allowed_values", [])}
            for entry in value if isinstance(value, list) else [value]:
                if allowed and entry not in allowed:
                    told.error(f"{name}: {entry} is not an allowed value")
        expected = {kind for category in published["event.category"]["allowed_values"]
                    if category["name"] in document["event"]["category"]
                    for kind in category["expected_event_types"]}
        if not set(document["event"]["type"]) <= expected:
            told.error(f"event.type {document['event']['type']} with {document['event']['category']}")
    lines = [
        f"# ECS {ECS}: fields that documents have. From generated/ecs/ecs_flat.yml of elastic/ecs in that version, as the",
        "# package @elastic/ecs 9.4.0 carries it. Made by tests/tools/mapping.sh --write. Field, type, list or one",
    ]
    lines += [f"{name}\t{published[name]['type']}\t{'list' if 'array' in published[name]['normalize'] else 'one'}"
              for name in sorted(used)]
    compare(LISTS / "ecs-fields.tsv", "\n".join(lines) + "\n", write, told)
    print(f"ECS {ECS}: {len(found)} documents with {len(used)} fields against {len(published)} published ones: "
          f"{told.wrong} wrong")
    return told.wrong


def compare(path, text, write, told):
    if write:
        path.write_text(text, encoding="utf-8")
        print("written:", path.name)
    elif path.read_text(encoding="utf-8") != text:
        told.error(f"{path.name} is not what was published; --write makes it anew")


def main():
    place, write = pathlib.Path(sys.argv[1]), "--write" in sys.argv[2:]
    wrong = check_ocsf(place, write) + check_ecs(place, write)
    sys.exit(1 if wrong else 0)


main()
