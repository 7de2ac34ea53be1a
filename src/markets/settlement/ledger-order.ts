/**
 * Orders of the ledger and of the history, by the numbers of wallets, markets and tokens (that of first appearance;
 * nulls last), whether the columns show numbers or names. Loads nothing.
 */
export const ledgerOrder = ['wallet', 'token', 'market', 'status'] as const;
export const historyOrder = ['wallet', 'knowableAt', 'token', 'market', 'step'] as const;
