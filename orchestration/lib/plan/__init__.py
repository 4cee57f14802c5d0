"""The joint plan: a contract both departments sign, whose arithmetic is checked before it counts.

Belongs here: the plan's sheets and their cells (`sheets`, `model`), its folder of CSV files
(`folder`) and its workbook (`workbook`), fiscal calendars (`calendar`), its arithmetic
(`arithmetic`), lock, chain and signatures (`locking`, `keys`), what people add to it while it is in
force (`registers`), and the tables a run reads (`tables`). Does not belong here: the laws
(`expectations`), the actuals (dbt).
"""
