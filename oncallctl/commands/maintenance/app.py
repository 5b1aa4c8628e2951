"""The noun `maintenance`, which the modules beside this one give its verbs."""

from oncallctl.options import noun

app = noun()
