"""`python -m django_oauth_toolkit_site.serve DATABASE`: create a database and two users, serve, and print the origin."""

import os
import sys
import threading
import warnings

USERS = {"ada": "correct horse", "grace": "battery staple"}


def main() -> None:
    """Serve with a thread for each connection, as `runserver` does, until standard input is closed."""
    os.environ["NOTES_DATABASE"] = sys.argv[1]
    os.environ["DJANGO_SETTINGS_MODULE"] = f"{__package__}.settings"
    # The toolkit warns about each request that its next release will refuse; the suite reports those itself.
    warnings.simplefilter("ignore", DeprecationWarning)

    import django
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    django.setup()
    call_command("migrate", verbosity=0)
    for name, password in USERS.items():
        get_user_model().objects.create_user(name, password=password)

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    ThreadedWSGIServer.request_queue_size = 512
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet, allow_reuse_address=False)
    server.daemon_threads = True
    server.set_app(get_wsgi_application())
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
