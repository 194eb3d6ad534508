"""The definitions in R, as slow and plain as they can be written: cases are really deleted, mean squares come from
aov, counts from table."""

OBUCHOWSKI_ROCKETTE = """
auc_of <- function(x, y) mean(outer(x[y == 1], x[y == 0], function(a, b) (a > b) + (a == b) / 2))
sens_of <- function(x, y) mean(x[y == 1])
spec_of <- function(x, y) mean(1 - x[y == 0])
balanced_of <- function(x, y) (sens_of(x, y) + spec_of(x, y)) / 2

# Only cases of the class move a sensitivity or a specificity.
deleted <- function(y, merit) {
  if (identical(merit, sens_of)) which(y == 1) else if (identical(merit, spec_of)) which(y == 0) else seq_along(y)
}

# columns: one a test and reader, readers of the first test first
jackknife <- function(columns, y, merit) {
  rows <- deleted(y, merit); n <- length(rows)
  left <- t(sapply(rows, function(k) apply(columns[-k, , drop=FALSE], 2, merit, y=y[-k])))
  left <- matrix(left, nrow=n)
  centred <- sweep(left, 2, colMeans(left))
  (n - 1) / n * t(centred) %*% centred
}

analyse <- function(columns, y, I, J, merit, spread=jackknife(columns, y, merit)) {
  theta <- apply(columns, 2, merit, y=y)
  test <- rep(1:I, each=J); reader <- rep(1:J, I)
  squares <- summary(aov(theta ~ factor(test) + factor(reader)))[[1]][["Mean Sq"]]
  ms_t <- squares[1]; ms_r <- squares[2]; ms_tr <- squares[3]
  sums <- c(0, 0, 0, 0); counts <- c(0, 0, 0, 0)
  for (a in 1:(I * J)) for (b in 1:(I * J)) {
    kind <- if (test[a] == test[b] && reader[a] == reader[b]) 1 else if (reader[a] == reader[b]) 2 else
      if (test[a] == test[b]) 3 else 4
    sums[kind] <- sums[kind] + spread[a, b]; counts[kind] <- counts[kind] + 1
  }
  means <- sums / counts
  var <- means[1]; cov1 <- means[2]; cov2 <- means[3]; cov3 <- means[4]
  say(ms_t, ms_r, ms_tr, var, cov1, cov2, cov3,
      (ms_r - ms_tr) / I - cov1 + cov3, ms_tr - var + cov1 + cov2 - cov3)
  den <- ms_tr + J * max(cov2 - cov3, 0)
  df2 <- den^2 / (ms_tr^2 / ((I - 1) * (J - 1)))
  say(ms_t / den, I - 1, df2, pf(ms_t / den, I - 1, df2, lower.tail=FALSE))
  say(ms_t / ms_tr, I - 1, (I - 1) * (J - 1), pf(ms_t / ms_tr, I - 1, (I - 1) * (J - 1), lower.tail=FALSE))
  fixed <- var - cov1 + (J - 1) * (cov2 - cov3)
  for (a in 1:(I - 1)) for (b in (a + 1):I) {
    difference <- mean(theta[test == a]) - mean(theta[test == b])
    se <- sqrt(2 * den / J)
    say(difference, difference + c(-1, 1) * qt(.975, df2) * se, 2 * pt(-abs(difference / se), df2))
    se <- sqrt(2 / J * fixed)
    say(difference / se, 2 * pnorm(-abs(difference / se)), difference + c(-1, 1) * qnorm(.975) * se)
  }
  for (a in 1:I) {
    own <- theta[test == a]
    part <- spread[test == a, test == a]
    cov2 <- mean(part[row(part) != col(part)])
    se <- sqrt(var(own) / J + max(cov2, 0))
    df <- (var(own) + J * max(cov2, 0))^2 / (var(own)^2 / (J - 1))
    say(mean(own), se, df, mean(own) + c(-1, 1) * qt(.975, df) * se)
  }
}

# ai: a vector; readers: columns
against <- function(ai, readers, y, merit, margin) {
  rows <- deleted(y, merit); n <- length(rows); J <- ncol(readers)
  own <- merit(ai, y)
  psi <- apply(readers, 2, merit, y=y) - own
  left <- t(sapply(rows, function(k) apply(readers[-k, ], 2, merit, y=y[-k]) - merit(ai[-k], y[-k])))
  centred <- sweep(left, 2, colMeans(left))
  spread <- (n - 1) / n * t(centred) %*% centred
  den <- var(psi) + max(J * mean(spread[row(spread) != col(spread)]), 0)
  se <- sqrt(den / J)
  df <- den^2 / (var(psi)^2 / (J - 1))
  difference <- -mean(psi)
  say(own, own + mean(psi), difference, difference + c(-1, 1) * qt(.975, df) * se, difference / se, df,
      2 * pt(-abs(difference / se), df), pt((difference + margin) / se, df, lower.tail=FALSE))
}
"""

AGREEMENT = """
cohen <- function(a, b) {
  names <- sort(unique(c(a, b)))
  counts <- table(factor(a, names), factor(b, names)) / length(a)
  expected <- sum(rowSums(counts) * colSums(counts))
  (sum(diag(counts)) - expected) / (1 - expected)
}
# answers: one column a reader
fleiss <- function(answers) {
  names <- sort(unique(as.vector(answers)))
  counts <- t(apply(answers, 1, function(row) table(factor(row, names))))
  m <- ncol(answers)
  agreed <- mean((rowSums(counts^2) - m) / (m * (m - 1)))
  expected <- sum((colSums(counts) / sum(counts))^2)
  (agreed - expected) / (1 - expected)
}
"""
