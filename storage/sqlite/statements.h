/* The statements of the SQLite store, each prepared once on its first use: X(NAME, sql).
 *
 * Loading: ?1 and ?2 are the key to start behind, ?3 the cycle, ?4 the limit, ?5 whether only open cycles count. */
#ifndef TRIGATE_STORAGE_SQLITE_STATEMENTS_H
#define TRIGATE_STORAGE_SQLITE_STATEMENTS_H

#define CYCLE_COLUMNS \
	"id, strategy, exchange, state, route, currency, step, planned_in, planned_out, amount_in, amount_out," \
	" profit, deltas, reason, opened_ns, closed_ns"
#define ORDER_COLUMNS \
	"o.client_id, ifnull(o.cycle_id, ''), exchange_id, market, side, o.state, purpose, o.reason, leg, attempt," \
	" time_in_force, price, qty, filled_qty, filled_quote, created_ns, updated_ns"
#define FILL_COLUMNS "f.client_id, f.fill_id, f.price, f.qty, fee, fee_currency, time_ns"
#define EVENT_COLUMNS "journal, position, time_ns, kind, cycle_id, client_id, text"
#define OPEN_OR_ANY(cycle) "(?5 = 0 OR EXISTS (SELECT 1 FROM cycles WHERE id = " cycle " AND closed_ns = 0))"
/* The cycles that a step of a clean-up takes: the same for each of its statements, for it is one transaction. */
#define OLDEST "SELECT id FROM cycles WHERE closed_ns < ?1 AND closed_ns <> 0 ORDER BY closed_ns, id LIMIT ?2"
#define OLDEST_LOOSE \
	"SELECT client_id FROM orders WHERE cycle_id IS NULL AND updated_ns < ?1 ORDER BY updated_ns, client_id LIMIT ?2"

#define STATEMENT_TABLE(X) \
	X(BEGIN, "BEGIN IMMEDIATE") \
	X(COMMIT, "COMMIT") \
	X(ROLLBACK, "ROLLBACK") \
	X(POSITION_GET, "SELECT position FROM journals WHERE journal = ?1") \
	X(POSITION_SET, \
	  "INSERT INTO journals VALUES (?1, ?2) ON CONFLICT (journal) DO UPDATE SET position = excluded.position") \
	X(CYCLE_ADD, "INSERT INTO cycles (" CYCLE_COLUMNS ")" \
		     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)") \
	X(CYCLE_SET, "UPDATE cycles SET strategy = ?2, exchange = ?3, state = ?4, route = ?5, currency = ?6," \
		     " step = ?7, planned_in = ?8, planned_out = ?9, amount_in = ?10, amount_out = ?11," \
		     " profit = ?12, deltas = ?13, reason = ?14, opened_ns = ?15, closed_ns = ?16 WHERE id = ?1") \
	X(ORDER_ADD, \
	  "INSERT INTO orders (client_id, cycle_id, exchange_id, market, side, state, purpose, reason, leg," \
	  " attempt, time_in_force, price, qty, filled_qty, filled_quote, created_ns, updated_ns)" \
	  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)") \
	X(ORDER_SET, \
	  "UPDATE orders SET cycle_id = ?2, exchange_id = ?3, market = ?4, side = ?5, state = ?6, purpose = ?7," \
	  " reason = ?8, leg = ?9, attempt = ?10, time_in_force = ?11, price = ?12, qty = ?13, filled_qty = ?14," \
	  " filled_quote = ?15, created_ns = ?16, updated_ns = ?17 WHERE client_id = ?1") \
	X(FILL_ADD, "INSERT INTO fills (client_id, fill_id, price, qty, fee, fee_currency, time_ns)" \
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)") \
	X(FILL_SET, "UPDATE fills SET price = ?3, qty = ?4, fee = ?5, fee_currency = ?6, time_ns = ?7" \
		    " WHERE client_id = ?1 AND fill_id = ?2") \
	X(EVENT_ADD, "INSERT INTO events (" EVENT_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)") \
	X(EVENT_SET, "UPDATE events SET time_ns = ?3, kind = ?4, cycle_id = ?5, client_id = ?6, text = ?7" \
		     " WHERE journal = ?1 AND position = ?2") \
	X(CYCLE_PROGRESS, "UPDATE cycles SET step = ?2, state = ?3, deltas = ?4, reason = ?5, amount_in = ?6," \
			  " amount_out = ?7, profit = ?8, closed_ns = ?9 WHERE id = ?1") \
	X(ORDER_PROGRESS, "UPDATE orders SET exchange_id = ?2, state = ?3, reason = ?4, filled_qty = ?5," \
			  " filled_quote = ?6, updated_ns = ?7 WHERE client_id = ?1") \
	X(CYCLES_GET, "SELECT " CYCLE_COLUMNS " FROM cycles WHERE id > ?1 ORDER BY id LIMIT ?4") \
	X(CYCLES_GET_OF, "SELECT " CYCLE_COLUMNS " FROM cycles" \
			 " WHERE id > ?1 AND id = ?3 AND (?5 = 0 OR closed_ns = 0) LIMIT ?4") \
	X(CYCLES_GET_OPEN, \
	  "SELECT " CYCLE_COLUMNS " FROM cycles WHERE closed_ns = 0 AND id > ?1 ORDER BY id LIMIT ?4") \
	X(ORDERS_GET, "SELECT " ORDER_COLUMNS " FROM orders o WHERE client_id > ?1 ORDER BY client_id LIMIT ?4") \
	X(ORDERS_GET_OF, "SELECT " ORDER_COLUMNS " FROM orders o WHERE cycle_id = ?3 AND client_id > ?1" \
			 " AND " OPEN_OR_ANY("?3") " ORDER BY client_id LIMIT ?4") \
	X(ORDERS_GET_OPEN, "SELECT " ORDER_COLUMNS " FROM cycles c CROSS JOIN orders o ON o.cycle_id = c.id" \
			   " WHERE c.closed_ns = 0 AND o.client_id > ?1 ORDER BY o.client_id LIMIT ?4") \
	X(FILLS_GET, "SELECT " FILL_COLUMNS " FROM fills f" \
		     " WHERE (client_id, fill_id) > (?1, ?2) ORDER BY client_id, fill_id LIMIT ?4") \
	X(FILLS_GET_OF, "SELECT " FILL_COLUMNS " FROM orders o CROSS JOIN fills f ON f.client_id = o.client_id" \
			" WHERE o.cycle_id = ?3 AND (f.client_id, f.fill_id) > (?1, ?2) AND " OPEN_OR_ANY( \
				"?3") " ORDER BY f.client_id, f.fill_id LIMIT ?4") \
	X(FILLS_GET_OPEN, "SELECT " FILL_COLUMNS " FROM cycles c CROSS JOIN orders o ON o.cycle_id = c.id" \
			  " CROSS JOIN fills f ON f.client_id = o.client_id WHERE c.closed_ns = 0" \
			  " AND (f.client_id, f.fill_id) > (?1, ?2) ORDER BY f.client_id, f.fill_id LIMIT ?4") \
	X(EVENTS_GET, "SELECT " EVENT_COLUMNS " FROM events" \
		      " WHERE (journal, position) > (?1, ?2) ORDER BY journal, position LIMIT ?4") \
	X(EVENTS_GET_OF, "SELECT " EVENT_COLUMNS " FROM events WHERE cycle_id = ?3 AND cycle_id <> ''" \
			 " AND (journal, position) > (?1, ?2) ORDER BY journal, position LIMIT ?4") \
	X(SLOT_RENEW_OWN, \
	  "UPDATE slots SET boot = ?3, expires_ns = ?4 WHERE slot_group = ?1 AND owner = ?2" \
	  " AND (boot <> ?3 OR expires_ns <= ?5) AND id IN (SELECT id FROM slots WHERE slot_group = ?1" \
	  " AND owner = ?2 AND (boot <> ?3 OR expires_ns <= ?5) ORDER BY id LIMIT ?6) RETURNING id") \
	X(SLOT_COUNT, "SELECT count(*), EXISTS (SELECT 1 FROM slots WHERE slot_group = ?1 AND owner = ?2" \
		      " AND (boot <> ?3 OR expires_ns <= ?4)) FROM slots WHERE slot_group = ?1") \
	X(SLOT_ADD, "INSERT INTO slots (slot_group, owner, boot, expires_ns) VALUES (?1, ?2, ?3, ?4)") \
	X(SLOT_RENEW, "UPDATE slots SET expires_ns = ?4 WHERE slot_group = ?1 AND owner = ?2 AND boot = ?3" \
		      " AND expires_ns > ?5") \
	X(SLOT_RELEASE, "DELETE FROM slots WHERE slot_group = ?1 AND owner = ?2 AND id = ?3") \
	X(SLOTS_GET, "SELECT id, slot_group, owner, boot, expires_ns FROM slots" \
		     " WHERE ?1 = '' OR slot_group = ?1 ORDER BY id") \
	X(CLEANUP_FILLS, "DELETE FROM fills WHERE client_id IN" \
			 " (SELECT client_id FROM orders WHERE cycle_id IN (" OLDEST "))") \
	X(CLEANUP_ORDERS, "DELETE FROM orders WHERE cycle_id IN (" OLDEST ")") \
	X(CLEANUP_EVENTS, "DELETE FROM events WHERE cycle_id <> '' AND cycle_id IN (" OLDEST ")") \
	X(CLEANUP_CYCLES, "DELETE FROM cycles WHERE id IN (" OLDEST ")") \
	X(CLEANUP_LOOSE, "DELETE FROM events WHERE (journal, position) IN (SELECT journal, position FROM events" \
			 " WHERE cycle_id = '' AND time_ns < ?1 ORDER BY time_ns LIMIT ?2)") \
	X(CLEANUP_LOOSE_FILLS, "DELETE FROM fills WHERE client_id IN (" OLDEST_LOOSE ")") \
	X(CLEANUP_LOOSE_ORDERS, "DELETE FROM orders WHERE client_id IN (" OLDEST_LOOSE ")") \
	X(PING, "SELECT count(*) FROM (SELECT 1 FROM sqlite_schema LIMIT 1)")

#define STATEMENT_CONST(name, sql) STATEMENT_##name,
enum statement { STATEMENT_TABLE(STATEMENT_CONST) STATEMENT_COUNT };
#undef STATEMENT_CONST

#endif
