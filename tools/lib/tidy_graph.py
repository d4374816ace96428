"""Rules of tools/tidy.py on graphs: no cycle of includes or calls, one meaning for each name."""

import re

from tidy_source import (folder_of, included, is_c, line_at, stem_of, without_comments,
                         without_strings)

PROGRAMS = {"mailstow": ("lib/", "restore/"), "mailstowd": ("lib/", "daemon/")}
FUNCTION = re.compile(r"^(?!static\b|typedef\b)([A-Za-z_][^;{}=#]*?)\b(\w+)\(([^;{}]*)\)\s*\n\{",
                      re.M)
STATIC = re.compile(r"^static\b[^;{}=]*?\b(\w+)\([^;{}]*\)\s*\n\{", re.M)
CALL = re.compile(r"(?<![\w.>])(\w+)\s*\(")
TAG = re.compile(r"^(?:struct|enum|union) (\w+) \{", re.M)


def cycles(graph):
    """The strongly connected components of more than one node (Tarjan), each sorted."""
    numbers, lowest, stack, found = {}, {}, [], []

    def enter(node):
        numbers[node] = lowest[node] = len(numbers)
        stack.append(node)
        return [node, iter(sorted(graph.get(node, ())))]
    for root in sorted(graph):
        path = [] if root in numbers else [enter(root)]
        while path:
            node, others = path[-1]
            for other in others:
                if other not in numbers:
                    path.append(enter(other))
                    break
                if other in stack:
                    lowest[node] = min(lowest[node], numbers[other])
            else:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[node])
                if lowest[node] == numbers[node]:
                    at = stack.index(node)
                    if len(stack) - at > 1:
                        found.append(sorted(stack[at:]))
                    del stack[at:]
    return found


def of_program(tree, program):
    return [path for path in tree if is_c(path) and path.startswith(PROGRAMS[program])]


def told_once(findings):
    """Both programs have lib: what is wrong there is one finding."""
    return list(dict.fromkeys(findings))


def no_file_includes_itself(tree):
    graph = {path: {header for _, header in included(tree, path)} - {path}
             for path in tree if is_c(path)}
    for cycle in cycles(graph):
        yield cycle[0], 1, f"a cycle of includes: {', '.join(cycle)}"


def calls_of(tree, files):
    """{caller: {callee: function}} between .c files. A call through a pointer is none."""
    homes = {}
    for path in files:
        for match in FUNCTION.finditer(without_strings(tree[path])):
            homes.setdefault(match.group(2), set()).add(path)
    graph = {}
    for path in files:
        text = without_strings(tree[path])
        own = set(STATIC.findall(text))
        for match in CALL.finditer(text):
            home = homes.get(match.group(1), set())
            if len(home) == 1 and path not in home and match.group(1) not in own:
                graph.setdefault(path, {}).setdefault(*home, match.group(1))
    return graph


def no_call_comes_back(tree):
    findings = []
    for program in PROGRAMS:
        graph = calls_of(tree, [path for path in of_program(tree, program)
                                if path.endswith(".c")])
        for cycle in cycles(graph):
            calls = [f"{stem_of(caller)} calls {function}() of {stem_of(callee)}"
                     for caller in cycle for callee, function in sorted(graph[caller].items())
                     if callee in cycle]
            findings.append((cycle[0], 1, f"a cycle of calls: {'; '.join(calls)}"))
    yield from told_once(findings)


def file_names_are_unique(tree):
    findings = []
    for program in PROGRAMS:
        names = {}
        for path in sorted(of_program(tree, program)):
            names.setdefault(path.rpartition("/")[2], []).append(path)
        findings += [(paths[-1], 1, f"another {name} is in {folder_of(paths[0])}")
                     for name, paths in names.items() if len(paths) > 1 and name != "main.c"]
    yield from told_once(findings)


def tags_are_unique(tree):
    """Of structs, enums and unions."""
    findings = []
    for program in PROGRAMS:
        tags = {}
        for path in sorted(of_program(tree, program)):
            text = without_comments(tree[path])
            for match in TAG.finditer(text):
                tags.setdefault(match.group(1), []).append((path, line_at(text, match.start())))
        for tag, places in tags.items():
            findings += [(path, line, f"{tag} is also defined in {places[0][0]}")
                         for path, line in places[1:]]
    yield from told_once(findings)


RULES = (no_file_includes_itself, no_call_comes_back, file_names_are_unique, tags_are_unique)

INDECENT = {
    no_file_includes_itself: (
        ("lib/base/b.h", '#include "base/c.h"\n', {"lib/base/c.h": '#include "base/b.h"\n'}),
        ("lib/base/b.h", '#include "base/c.h"\n',
         {"lib/base/c.h": '#include "base/d.h"\n', "lib/base/d.h": '#include "base/b.h"\n'})),
    no_call_comes_back: (
        ("lib/base/b.c", "int b(void)\n{\n\treturn c();\n}\n",
         {"lib/net/c.c": "int c(void)\n{\n\treturn 1 + b();\n}\n"}),),
    file_names_are_unique: (("restore/a.c", "int a;\n"),),
    tags_are_unique: (
        ("restore/b.h", "struct same {\n", {"lib/base/c.c": "struct same {\n"}),),
}
