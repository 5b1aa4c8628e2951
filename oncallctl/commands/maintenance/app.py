"""The noun `maintenance`, which the modules beside this one give its verbs."""

from oncallctl.parsing.framework import noun

app = noun()
