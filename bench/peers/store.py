#!/usr/bin/python3
"""The peer of bench/store: how the Python system that trigate carries on keeps its state, with Debian's python3-aiosqlite.

Usage: store.py SECONDS, for each recipe -> one line of JSON: operations a second by recipe, and bytes_blob.

save_pooled           five open connections, WAL, synchronous=NORMAL; a transaction a save: the cycle's row and three orders' rows
save_lifecycle_cached nine saves of a cycle, kept in memory and flushed once, at its end (its write-through cache)
update_blob_N         one order of a cycle of N changes: open, the whole row with all orders as one JSON text, commit, close
reserve_release       a slot: count, insert, commit; delete, commit
bytes_blob            what one update of an order among fifty binds to its statement, as text
"""
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time

import aiosqlite

CONNECTIONS = 5
CYCLES = ("CREATE TABLE IF NOT EXISTS cycles (id TEXT PRIMARY KEY, strategy_name TEXT, cycle_json TEXT, initial_amount REAL,"
          " current_amount REAL, current_currency TEXT, state TEXT, current_step INT, orders_json TEXT, start_time REAL,"
          " end_time REAL, profit_loss REAL, error_message TEXT, metadata_json TEXT, updated_at REAL)")
ORDERS = ("CREATE TABLE IF NOT EXISTS orders (order_id TEXT PRIMARY KEY, cycle_id TEXT, market_symbol TEXT, side TEXT, amount REAL,"
          " price REAL, state TEXT, filled_amount REAL, remaining_amount REAL, average_price REAL, timestamp REAL,"
          " retry_count INT, error_message TEXT, created_at REAL, updated_at REAL)")
SLOTS = "CREATE TABLE slots (id TEXT PRIMARY KEY, expires REAL)"
CYCLE_PUT = "INSERT OR REPLACE INTO cycles VALUES (" + ", ".join("?" * 15) + ")"
ORDER_PUT = "INSERT OR REPLACE INTO orders VALUES (" + ", ".join("?" * 15) + ")"
ORDER_FIELDS = ("market_symbol", "side", "amount", "price", "state", "filled_amount", "remaining_amount", "average_price",
                "timestamp", "retry_count", "error_message")


def order(cycle, number):
    return {"id": f"{cycle}-{number}", "market_symbol": "BTC/USDT", "side": "buy", "amount": 0.01, "price": 50000.5,
            "state": "placed", "filled_amount": 0.0, "remaining_amount": 0.01, "average_price": 0.0, "timestamp": time.time(),
            "retry_count": 0, "error_message": None}


def cycle_row(cycle, orders):
    return (cycle, "s", json.dumps(["BTC", "ETH", "USDT"]), 1000.0, 1000.0, "USDT", "active", 1,
            json.dumps(orders) if orders else None, time.time(), None, None, None, "{}", time.time())


def order_row(cycle, one):
    now = time.time()
    return (one["id"], cycle, *[one[field] for field in ORDER_FIELDS], now, now)


async def rate(step, seconds):
    await step(0)
    count, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        count += 1
        await step(count)
    return round(count / took, 1)


async def blob_update(path, cycle, count):
    db = await aiosqlite.connect(path)
    await db.execute(CYCLES)
    await db.execute(CYCLE_PUT, cycle_row(cycle, [order(cycle, number) for number in range(count)]))
    await db.commit()
    await db.close()


async def pool_open(path):
    pool = []
    for _ in range(CONNECTIONS):
        db = await aiosqlite.connect(path)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", CYCLES, ORDERS):
            await db.execute(statement)
        await db.commit()
        pool.append(db)
    return pool


async def save(db, cycle):
    await db.execute("BEGIN IMMEDIATE")
    await db.execute(CYCLE_PUT, cycle_row(cycle, None))
    for number in range(3):
        await db.execute(ORDER_PUT, order_row(cycle, order(cycle, number)))
    await db.commit()


async def reserve_release(db, slot):
    await db.execute("BEGIN IMMEDIATE")
    cursor = await db.execute("SELECT count(*) FROM slots WHERE expires > ?", (time.time(),))
    (taken,) = await cursor.fetchone()
    if taken < 5:
        await db.execute("INSERT INTO slots VALUES (?, ?)", (slot, time.time() + 60))
    await db.commit()
    await db.execute("DELETE FROM slots WHERE id = ?", (slot,))
    await db.commit()


async def recipes(folder, seconds):
    figures = {}
    blob = os.path.join(folder, "blob.db")
    for count in (3, 10, 50):
        figures[f"update_blob_{count}"] = await rate(lambda n, count=count: blob_update(blob, f"b{count}", count), seconds)
    figures["bytes_blob"] = sum(len(str(value)) for value in cycle_row("b50", [order("b50", number) for number in range(50)])
                                if value is not None)
    pool = await pool_open(os.path.join(folder, "pool.db"))
    figures["save_pooled"] = await rate(lambda n: save(pool[n % CONNECTIONS], f"p{n}"), seconds)

    async def lifecycle(number):
        latest = None
        for state in range(9):
            latest = (f"l{number}", state)
        await save(pool[number % CONNECTIONS], latest[0])
    figures["save_lifecycle_cached"] = round(9 * await rate(lifecycle, seconds), 1)
    await pool[0].execute(SLOTS)
    await pool[0].commit()
    figures["reserve_release"] = await rate(lambda n: reserve_release(pool[n % CONNECTIONS], f"s{n}"), seconds)
    for db in pool:
        await db.close()
    return figures


def main():
    folder = tempfile.mkdtemp(prefix="trigate-peer-")
    try:
        print(json.dumps(asyncio.run(recipes(folder, float(sys.argv[1])))))
    finally:
        shutil.rmtree(folder)


main()
