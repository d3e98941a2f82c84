# Reference values of R-hat, effective sample sizes and Monte Carlo errors.
#
# Reads chains.csv (columns case, chain, draw, value), writes posterior.csv with the values that R's package posterior
# computes. The stored values were made with R 4.2.2 and posterior 1.4.0 (Debian 12: r-cran-posterior):
#
#   Rscript posterior.R          uses the chains there are
#   Rscript posterior.R chains   makes them anew first
library(posterior)
options(digits = 17)

if ("chains" %in% commandArgs(TRUE)) {
  set.seed(20240517)
  ar <- function(n, rho) as.numeric(stats::filter(rnorm(n) * sqrt(1 - rho^2), rho, "recursive", init = rnorm(1)))
  sim <- function(n, m, f) sapply(seq_len(m), function(c) f(n, c))
  cases <- list(
    iid        = sim(250, 4, function(n, c) rnorm(n)),
    correlated = sim(250, 4, function(n, c) ar(n, 0.9)),
    negative   = sim(200, 4, function(n, c) ar(n, -0.6)),
    shifted    = sim(200, 4, function(n, c) rnorm(n) + 0.5 * c),
    scaled     = sim(200, 4, function(n, c) rnorm(n) * c),
    cauchy     = sim(200, 4, function(n, c) rcauchy(n)),
    odd        = sim(101, 3, function(n, c) ar(n, 0.5)),
    single     = sim(200, 1, function(n, c) ar(n, 0.7)),
    ties       = sim(150, 4, function(n, c) round(ar(n, 0.5) * 2)),
    short      = sim(9, 6, function(n, c) rnorm(n)),
    trend      = sim(150, 2, function(n, c) rnorm(n) + seq_len(n) / 50)
  )
  rows <- do.call(rbind, lapply(names(cases), function(k) {
    x <- cases[[k]]
    data.frame(case = k, chain = rep(seq_len(ncol(x)), each = nrow(x)), draw = rep(seq_len(nrow(x)), ncol(x)), value = sprintf("%.9g", x))
  }))
  write.csv(rows, "chains.csv", row.names = FALSE, quote = FALSE)
}

d <- read.csv("chains.csv")
out <- do.call(rbind, lapply(unique(d$case), function(k) {
  v <- d[d$case == k, ]
  x <- matrix(v$value, ncol = max(v$chain))
  q <- c(rhat = rhat(x), rhat_basic = rhat_basic(x), ess_bulk = ess_bulk(x), ess_tail = ess_tail(x), ess_mean = ess_mean(x),
         ess_q05 = as.numeric(ess_quantile(x, 0.05)), mcse_mean = mcse_mean(x), mcse_sd = mcse_sd(x),
         mcse_q05 = as.numeric(mcse_quantile(x, 0.05)), mcse_q50 = as.numeric(mcse_quantile(x, 0.5)))
  data.frame(case = k, quantity = names(q), value = sprintf("%.17g", q))
}))
write.csv(out, "posterior.csv", row.names = FALSE, quote = FALSE)
