"""Django's program: `python manage.py check`, `python manage.py portier_check`."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reading_room.settings")
    execute_from_command_line(sys.argv)
