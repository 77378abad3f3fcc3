"""A Modbus server by pymodbus 3.0.0 that holds what it is told.

usage: pymodbus_server.py tcp PORT | rtu PATH    (the units as JSON on standard input)

{"1": {"holding": {"100": [1, 2]}, "input": {}, "coil": {}, "discrete": {}}}
"""

import json
import sys

from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
from pymodbus.server import StartSerialServer, StartTcpServer
from pymodbus.transaction import ModbusRtuFramer


def block(table):
    values = {}
    for start, items in table.items():
        for i, item in enumerate(items):
            values[int(start) + i] = item
    return ModbusSparseDataBlock(values or {65535: 0})


def unit(tables):
    return ModbusSlaveContext(
        co=block(tables.get("coil", {})),
        di=block(tables.get("discrete", {})),
        hr=block(tables.get("holding", {})),
        ir=block(tables.get("input", {})),
        zero_mode=True,
    )


def main():
    transport, where = sys.argv[1:]
    units = {int(k): unit(v) for k, v in json.load(sys.stdin).items()}
    context = ModbusServerContext(slaves=units, single=False)
    if transport == "tcp":
        StartTcpServer(context=context, address=("127.0.0.1", int(where)))
    else:
        StartSerialServer(context=context, framer=ModbusRtuFramer, port=where, baudrate=19200, timeout=0.05)


main()
