"""Rules of tools/tidy.py on graphs: no cycle of includes or calls, one meaning for each name."""

from tidy_source import folder_of, included, is_c

PROGRAMS = {"mailstow": ("lib/", "restore/"), "mailstowd": ("lib/", "daemon/")}


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


def file_names_are_unique(tree):
    findings = []
    for program in PROGRAMS:
        names = {}
        for path in sorted(of_program(tree, program)):
            names.setdefault(path.rpartition("/")[2], []).append(path)
        findings += [(paths[-1], 1, f"another {name} is in {folder_of(paths[0])}")
                     for name, paths in names.items() if len(paths) > 1 and name != "main.c"]
    yield from told_once(findings)


RULES = (no_file_includes_itself, file_names_are_unique)

INDECENT = {
    no_file_includes_itself: (
        ("lib/base/b.h", '#include "base/c.h"\n', {"lib/base/c.h": '#include "base/b.h"\n'}),
        ("lib/base/b.h", '#include "base/c.h"\n',
         {"lib/base/c.h": '#include "base/d.h"\n', "lib/base/d.h": '#include "base/b.h"\n'})),
    file_names_are_unique: (("restore/a.c", "int a;\n"),),
}
