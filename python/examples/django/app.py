"""A small site on Django with a page for members, who log in with their e-mail address.

`make demo FRAMEWORK=django` serves it together with a development broker, which sends no mail. The
site is the project in `reading_room`; `manage.py` is Django's own program.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "shared"))
from example import serve_wsgi, settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reading_room.settings")

if __name__ == "__main__":
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    with tempfile.TemporaryDirectory() as folder:
        # A database of its own, so that each demonstration begins with nobody.
        os.environ.setdefault("DATABASE", f"{folder}/db.sqlite3")
        app = get_wsgi_application()
        call_command("migrate", verbosity=0)
        serve_wsgi(app, settings().port)
