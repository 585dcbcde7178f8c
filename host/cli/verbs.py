"""The verbs of `fnhost`, by what a person wants, each with the first sentence of its help.

The command of a verb stands in the file of that name beside this one, which is imported when it is called.
"""

VERBS: dict[str, dict[str, str]] = {
    "Run a host": {
        "serve": "Run the host until it is told to stop (SIGTERM, Ctrl-C).",
        "demo": "Run a host, a broker, a fake sensor and the two sample packages.",
        "doctor": "Tell what this machine lacks for a host, and how to mend it.",
        "config": "Check a config file, convert an old one, or print the schema.",
        "bridge": "Publish what an HTTP source answers, byte for byte.",
        "fake": "Stand-ins for the world around the host.",
    },
    "Write functions": {
        "init": "Make the folder NAME with a package: code, manifest, samples, a test.",
        "dev": "Serve DIR on this machine, and deploy it again at each save.",
        "test": "Send the samples of PACKAGE to it, and show what is not answered as expected.",
        "check": "Say all that a deploy of PACKAGE would say, without a host.",
        "package": "Pack DIR into a zip that is the same for the same files.",
    },
    "Deploy and call functions": {
        "deploy": "Deploy PATH, a zip or a folder.",
        "inspect": "Say what is in PATH, a zip or a folder, and what its pickles import.",
        "invoke": "Send an event to TARGET, and print the answer.",
        "replay": "Run the input of the invocation ID again.",
        "debug": "Run the very event of the invocation ID under pdb, in its function's own environment.",
        "scale": "Fix the number of instances of the function NAME.",
        "remove": "Remove the function NAME with all its revisions.",
    },
    "Look at what they do": {
        "console": "Print a link that opens the console in a browser, signed in.",
        "status": "Tell whether a host runs, where it listens, and what is the matter with it.",
        "top": "Watch what the host and its functions do just now.",
        "list": "List the functions.",
        "describe": "Show the function NAME: state, revisions, instances.",
        "logs": "Show the log of the function NAME.",
        "invocations": "List invocations that failed, and a sample of the rest; or show the way of one, ID.",
        "why": "Tell why the function NAME has as many instances as it has.",
        "usage": "Tell how many events each caller sent, or each function had.",
        "metrics": "Export what the host has kept of what it did.",
        "bench": "Find out how many events per second the function NAME takes.",
    },
    "Operate": {
        "dlq": "Look at events that failed for good (dead letters), replay them, drop them.",
        "token": "Make tokens, look who has one, revoke them.",
        "completion": "Print what has a shell complete the words of `fnhost`.",
        "audit": "Show who changed what, and who was turned away.",
    },
}


def short_helps() -> dict[str, str]:
    """Every verb and its sentence, in the order of the help."""
    return {verb: said for verbs in VERBS.values() for verb, said in verbs.items()}
