"""Profiles of wallets by the formulas of the reference pipeline (docs/methods.md, "Original definitions"), in polars.

  polars_profile.py written MARKETS TRADES OUT              whole history, patterns on the joined fills, streaming
  polars_profile.py scans   MARKETS TRADES OUT DATE...      90 days before each date, one lazy scan of the CSV a date
  polars_profile.py loaded  MARKETS TRADES OUT DATE...      the same, five columns loaded once
  polars_profile.py compare OURS THEIRS                     wallet by wallet

Prints one line of JSON. Threads: POLARS_MAX_THREADS.
"""
import datetime
import json
import resource
import sys
import time

import polars as pl

DAYS = 90
WORDS = {
    "Politics": "election|president|senate|congress|democrat|republican|trump|biden|harris|nominee|poll|vote|cabinet"
    "|war|geopolitics|ukraine|israel|policy",
    "Sports": "nfl|nba|mlb|nhl|soccer|ufc|f1|formula 1|premier league|champions league|super bowl|finals|playoff|vs"
    "|tournament|cup|medal|tennis|golf",
    "Crypto": "bitcoin|btc|ethereum|eth|solana|sol|crypto|nft|airdrop|defi|token|stablecoin|usdc|usdt|tether|binance"
    "|coinbase|etf|memecoin|halving",
}


def flags():
    return [
        (pl.col("market_slug").str.contains("(?i)" + words) | pl.col("question").str.contains("(?i)" + words))
        .fill_null(False).alias(name)
        for name, words in WORDS.items()
    ]


def markets_of(path):
    return pl.scan_csv(path, schema_overrides={"id": pl.Int64, "token1": pl.String, "token2": pl.String}).select(
        pl.col("id").alias("market_id"), "market_slug", "question",
        pl.col("createdAt").str.slice(0, 19).str.to_datetime("%Y-%m-%dT%H:%M:%S").alias("createdAt"))


def trades_of(path):
    return pl.scan_csv(path, try_parse_dates=True, schema_overrides={"market_id": pl.Int64})


def profiles(fills, engine):
    """`fills` has the columns of trades with those of their markets and the flags of topics."""
    end = fills.select(pl.col("timestamp").max()).collect(engine=engine).item()
    days = (pl.lit(end) - pl.col("first")).dt.total_days()
    base = fills.group_by("maker").agg(
        pl.col("timestamp").min().alias("first"), pl.len().alias("n"),
        pl.col("usd_amount").mean().alias("aggressionAvgUsd"),
        pl.col("market_id").n_unique().alias("diversificationMarketsCount"),
        *[(100 * pl.col(name).mean()).alias(f"domainFocus{name}Pct") for name in WORDS],
    ).with_columns(days.alias("tenureDays")).with_columns(
        (pl.col("n") / pl.max_horizontal(pl.lit(1), "tenureDays")).alias("frequencyTradesDaily"))
    buy = pl.col("maker_direction") == "BUY"
    usd = pl.col("usd_amount")
    per_market = fills.group_by("maker", "market_id").agg(
        pl.when(buy).then(-usd).otherwise(usd).sum().alias("net"),
        usd.filter(buy).sum().alias("bought"), buy.sum().alias("buys"),
        ((pl.col("timestamp") - pl.col("createdAt")).dt.total_microseconds() / 3.6e9).min().alias("delay"))
    legacy = per_market.group_by("maker").agg(
        pl.col("bought").sum().alias("totalInvested"), pl.col("net").sum().alias("totalNetPnl"),
        (pl.col("net") > 0).sum().alias("wins"), pl.len().alias("uniqueMarkets"),
        pl.col("delay").mean().fill_null(0).alias("avgTimeToImpactHours"), pl.col("buys").sum(),
    ).with_columns(
        pl.when(pl.col("buys") > 0).then(pl.col("totalInvested") / pl.col("buys")).otherwise(0)
        .alias("convictionAvgBuyUsd"),
        pl.when(pl.col("totalInvested") > 0).then(100 * pl.col("totalNetPnl") / pl.col("totalInvested")).otherwise(0)
        .alias("roiPct"),
        (100 * pl.col("wins") / pl.col("uniqueMarkets")).alias("winRatePct"))
    table = base.drop("first", "n").join(legacy.drop("buys"), on="maker").collect(engine=engine)
    return table.with_columns((pl.col("roiPct") - pl.col("roiPct").mean()).alias("alphaScore"))


def window(fills, date):
    return fills.filter((pl.col("timestamp") >= date - datetime.timedelta(days=DAYS)) & (pl.col("timestamp") < date))


def save(tables, out):
    pl.concat(tables).rename({"maker": "wallet"}).sort("asOf", "wallet").write_parquet(out)


def at(table, date):
    return table.with_columns(pl.lit(date).alias("asOf"))


def run(mode, markets, trades, out, dates):
    began = time.perf_counter()
    loaded = None
    if mode == "written":
        fills = trades_of(trades).join(markets_of(markets), on="market_id", how="left").with_columns(flags())
        tables = [at(profiles(fills, "streaming"), datetime.datetime(2100, 1, 1))]
    else:
        known = markets_of(markets).with_columns(flags()).drop("market_slug", "question").collect().lazy()
        rows = trades_of(trades).select("timestamp", "market_id", "maker", "maker_direction", "usd_amount")
        engine = "streaming"
        if mode == "loaded":
            rows, engine = rows.collect().lazy(), "in-memory"
            loaded = time.perf_counter() - began
        tables = [at(profiles(window(rows, date).join(known, on="market_id", how="left"), engine), date)
                  for date in dates]
    save(tables, out)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({
        "seconds": time.perf_counter() - began, "loadSeconds": loaded,
        "cpuSeconds": usage.ru_utime + usage.ru_stime, "peakMb": usage.ru_maxrss / 1024,
        "rows": sum(table.height for table in tables), "polars": pl.__version__,
    }))


def compare(ours_path, theirs_path):
    ours = pl.read_parquet(ours_path).with_columns(pl.col("asOf").cast(pl.Datetime("us")))
    theirs = pl.read_parquet(theirs_path).with_columns(pl.col("asOf").cast(pl.Datetime("us")))
    keys = ["asOf", "wallet"]
    if theirs["asOf"].n_unique() == 1:
        keys = ["wallet"]
    both = ours.join(theirs, on=keys, suffix="_theirs")
    worst = {}
    for name in theirs.columns:
        if name in ("asOf", "wallet"):
            continue
        a, b = pl.col(name).cast(pl.Float64), pl.col(name + "_theirs").cast(pl.Float64)
        worst[name] = both.select(((a - b).abs() / pl.max_horizontal(pl.lit(1.0), b.abs())).max()).item()
    print(json.dumps({"ours": ours.height, "theirs": theirs.height, "matched": both.height, "worst": worst}))


if __name__ == "__main__":
    if sys.argv[1] == "compare":
        compare(sys.argv[2], sys.argv[3])
    else:
        run(*sys.argv[1:5], [datetime.datetime.fromisoformat(text) for text in sys.argv[5:]])
