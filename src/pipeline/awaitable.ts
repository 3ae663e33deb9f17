/** A value now or later, for what callers write: their functions need not be `async`. */

export type Awaitable<T> = T | Promise<T>
