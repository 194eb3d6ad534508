from django.shortcuts import render

from skinclinic.permissions import clinic_member


@clinic_member()
def placeholder(request):
    return render(request, "archive/placeholder.html")
