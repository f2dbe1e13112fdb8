"""The admin of Django, whose login page uses Portier.

Put ``"portier_client.django.admin"`` into ``INSTALLED_APPS``, in the place of
``"django.contrib.admin"``.
"""
