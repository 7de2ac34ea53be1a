/** Hands the fills of a world to DuckDB. */
import type { Duck } from '../../tables/duck.ts';
import { ColumnAppender } from './append-columns.ts';
import { forEachFill } from './merge.ts';
import type { World } from './simulate.ts';

/** Creates the table `fills`: one row a fill, in order of time. A token is its market's number times two + outcome. */
export async function loadFills(duck: Duck, world: World): Promise<void> {
  const appender = await ColumnAppender.create(duck, 'fills', {
    time: 'integer',
    token: 'integer',
    wallet: 'integer',
    counterparty: 'integer',
    maker: 'tinyint',
    sell: 'tinyint',
    ticks: 'smallint',
    size: 'double',
    fee: 'double',
    transaction: 'integer',
  });
  forEachFill(world, (fill) => {
    const token = fill.market * 2 + fill.outcome;
    const { time, wallet, counterparty, maker, sell, ticks, size, fee, transaction } = fill;
    appender.row(time, token, wallet, counterparty, maker ? 1 : 0, sell ? 1 : 0, ticks, size, fee, transaction);
  });
  appender.close();
}
