# Score and match by R's MatchIt; called by benchmarks/matching.py: Rscript matchit.R <file> <firms>
suppressMessages(library(MatchIt))
given <- commandArgs(trailingOnly = TRUE)
n <- as.integer(given[2])
values <- matrix(readBin(given[1], "double", 7 * n), n)
firms <- as.data.frame(values)
names(firms) <- c(paste0("x", 1:5), "treat", "cell")
started <- proc.time()
found <- matchit(
  treat ~ x1 + x2 + x3 + x4 + x5, data = firms, method = "nearest", distance = "glm",
  link = "linear.logit", exact = ~cell, caliper = 0.2
)
took <- proc.time() - started
peak <- grep("VmHWM", readLines("/proc/self/status"), value = TRUE)
cat(sprintf(
  paste(
    '{"seconds": %.3f, "cpu": %.3f, "mib": %.1f,',
    '"versions": {"R": "%s", "MatchIt": "%s"}, "matched": [%s]}\n'
  ),
  took[["elapsed"]], took[["user.self"]], as.numeric(gsub("[^0-9]", "", peak)) / 1024,
  getRversion(), packageVersion("MatchIt"), paste(which(found$weights > 0), collapse = ",")
))
